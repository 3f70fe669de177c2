"""How smoothly the editor draws."""
