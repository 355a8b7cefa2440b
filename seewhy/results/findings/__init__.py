"""Findings: suspected shortcuts of a run with their evidence, what people decided about them, and how both are kept."""

from seewhy.results.findings.deciding import ACTIONS as ACTIONS
from seewhy.results.findings.deciding import decide as decide
from seewhy.results.findings.deciding import decided as decided
from seewhy.results.findings.deciding import decisions_file as decisions_file
from seewhy.results.findings.deciding import entries_of as entries_of
from seewhy.results.findings.effects import Effect as Effect
from seewhy.results.findings.effects import FalsePositives as FalsePositives
from seewhy.results.findings.effects import Outside as Outside
from seewhy.results.findings.finding import DECIDED as DECIDED
from seewhy.results.findings.finding import FIXED as FIXED
from seewhy.results.findings.finding import STATES as STATES
from seewhy.results.findings.finding import VARYING as VARYING
from seewhy.results.findings.finding import WHOLE as WHOLE
from seewhy.results.findings.finding import Decision as Decision
from seewhy.results.findings.finding import Finding as Finding
from seewhy.results.findings.finding import Mask as Mask
from seewhy.results.findings.finding import Probe as Probe
from seewhy.results.findings.finding import above as above
from seewhy.results.findings.keeping import FINDINGS as FINDINGS
from seewhy.results.findings.keeping import read as read
from seewhy.results.findings.listing import Findings as Findings
from seewhy.results.findings.rechecks import HeatShare as HeatShare
from seewhy.results.findings.rechecks import Recheck as Recheck
from seewhy.results.findings.rechecks import Rechecks as Rechecks
from seewhy.results.findings.rechecks import Showing as Showing
