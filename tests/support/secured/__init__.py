"""An Apache Kafka of the tests with locks on: logins, certificates, ACLs."""
