"""The report: figures, plots, and the page that shows them."""
