// Importing this file announces every component that comes with mtcp.
