// Makes the topic of a plan, the only argument.
import kafkajs from 'kafkajs'
import { plan } from './plan.ts'

const { Kafka, logLevel } = kafkajs
const kafka = new Kafka({
  clientId: 'creator',
  brokers: [plan.bootstrap],
  logLevel: logLevel.NOTHING,
})
const admin = kafka.admin()
await admin.connect()
await admin.createTopics({
  waitForLeaders: true,
  topics: [{ topic: plan.topic, numPartitions: plan.partitionCount }],
})
await admin.disconnect()
