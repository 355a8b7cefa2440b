"""What a supplement of pictures does to a model: trained for each share of it, audited, compared."""

from seewhy.studies.supplement.mending import cover as cover
from seewhy.studies.supplement.mending import swap_backgrounds as swap_backgrounds
from seewhy.studies.supplement.mending import transplant as transplant
from seewhy.studies.supplement.pictures import Pictures as Pictures
from seewhy.studies.supplement.result import Study as Study
from seewhy.studies.supplement.result import open_study as open_study
from seewhy.studies.supplement.studying import study as study
