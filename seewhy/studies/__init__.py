"""What is judged over many pictures or models: audits, shortcuts, comparisons."""
