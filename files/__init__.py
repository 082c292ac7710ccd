"""Files that come with messages: images, PDF and text."""
