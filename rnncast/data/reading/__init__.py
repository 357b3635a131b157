"""How files of text and Parquet become columns: dialects, numbers and stamps in all their forms, and layouts."""
