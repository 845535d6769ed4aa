"""Documents that outlast a connection and a process: the table of jobs, the queue, who does them, who is told."""
