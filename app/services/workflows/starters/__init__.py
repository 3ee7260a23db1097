"""The built-in workflow templates, by what they are for; ``starter_templates`` lists them all."""
