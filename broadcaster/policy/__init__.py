"""Who may be reached, why not, and when that changes: policy as dated data, decided in sets, explained one by one."""
