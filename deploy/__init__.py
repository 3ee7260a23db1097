"""What an installation needs beside the code."""
