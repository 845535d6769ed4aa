"""Opening an upload: PDF or picture, its pages, and the limits they keep."""
