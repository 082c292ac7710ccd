"""Tools that come with the product, one file each."""
