"""The shipped Grafana dashboards: grafana.py knows the format, the other modules say what is shown."""
