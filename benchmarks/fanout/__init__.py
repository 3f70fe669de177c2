"""Event fan-out: deliveries per second of server CPU, and latency, beside stock python-socketio."""
