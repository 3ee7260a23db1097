"""Every metric, by component: its name, meaning and labels; ``roles`` says which role exports which."""
