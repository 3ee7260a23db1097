"""Ports on Kafka, by Faust and aiokafka."""
