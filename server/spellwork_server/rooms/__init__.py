"""One room per open canvas: its document, who is there, and the rules an edit must pass."""
