// Where our answers differ from Kafka's, and why. Any other difference fails a test; docs/compatibility.md shows this table.
import type { Difference } from './compare.ts'

/** Fields that may differ. */
export interface KnownDifference {
  readonly client: RegExp
  readonly scenario: RegExp
  /** The way to the field, as in `Difference.path`. */
  readonly path: RegExp
  /** What Kafka's value must look like; anything when left out. */
  readonly value?: RegExp
  /** For readers of the documentation: what differs, and why it may. */
  readonly reason: string
}

/** The row that explains a difference; undefined when none does. */
export const knownDifference = (
  client: string,
  scenario: string,
  { path, kafka }: Difference,
): KnownDifference | undefined =>
  knownDifferences.find(
    (known) =>
      known.client.test(client) &&
      known.scenario.test(scenario) &&
      known.path.test(path) &&
      (known.value?.test(String(kafka)) ?? true),
  )

/** All of them. */
export const knownDifferences: readonly KnownDifference[] = [
  {
    client: /^/,
    scenario: /^/,
    path: /(^|\.)(message|errorMessage)$/,
    reason: 'Error messages are sentences of our own; the error codes agree.',
  },
  {
    client: /^java$/,
    scenario: /^features$/,
    path: /^(finalized|supported)\.(share|streams|transaction)\.version$/,
    reason:
      'Transaction, share and streams features are announced when they are served: clients act on them.',
  },
  {
    client: /^java-tools$/,
    scenario: /^(features|api-versions)$/,
    path: /^0\.out\.\d+$/,
    value:
      /(share|streams|transaction)\.version|Sasl|Txn|Transaction|Acl|Token|Quota|Scram|Share|Streams|Voter|UnregisterBroker/,
    reason:
      'Features and APIs that are not served are not announced: transactions, share and streams groups, rights, quotas.',
  },
  {
    client: /^java$/,
    scenario: /^broker-configs$/,
    path: /^broker\.(millrace\.|(advertised\.)?listeners\.|log\.dirs?\.|controller\.|listener\.security\.protocol\.map\.)/,
    reason:
      'Settings of our own (millrace.*) are listed beside those of Kafka; addresses and directories are those of the broker.',
  },
  {
    client: /^java-tools(-groups)?$/,
    scenario: /^(topics|configs|describe|delete)$/,
    path: /^\d+\.(out\.0|err\.[012])$/,
    value: /Error|Exception/,
    reason: 'The tools print error messages, which are sentences of our own.',
  },
  {
    client: /^java$/,
    scenario: /^broker-configs$/,
    path: /^broker\.(offsets\.topic|transaction\.state\.log|share\.coordinator\.state\.topic)\..*\.synonyms\.1$/,
    reason:
      'Internal topics have one replica unless told otherwise: one broker is a whole cluster.',
  },
  {
    client: /^java$/,
    scenario: /^config-resources$/,
    path: /^others\.1$/,
    reason: 'There are no loggers whose levels could be set.',
  },
  {
    client: /^(java|kafkajs|platformatic)$/,
    scenario: /^describe-configs$/,
    path: /(flush\.ms|retention\.ms|segment\.ms|segment\.jitter\.ms)\.synonyms|\d+\.(entries|configs)\.\d+\.(configSynonyms|synonyms)\.\d$/,
    reason:
      'A topic setting names the broker setting in hours that its value comes from (log.retention.hours); Kafka names none.',
  },
  {
    client: /^java$/,
    scenario: /^broker-configs$/,
    path: /^broker\.(allow\.everyone\.if\.no\.acl\.found|super\.users|(follower|leader)\.replication\.throttled\.rate|replica\.alter\.log\.dirs\.io\.max\.bytes\.per\.second)$/,
    reason: 'Settings that Kafka lists only once they are set are always listed.',
  },
  {
    client: /^java$/,
    scenario: /^broker-configs$/,
    path: /^broker\.(broker\.id|node\.id|process\.roles)\./,
    reason:
      'A broker starts without a configuration: node.id and process.roles have defaults, and broker.id is only what was set.',
  },
  {
    client: /^raw$/,
    scenario: /^classic joins that are refused$/,
    path: /^\d+ still no group\./,
    reason: 'A join that is refused leaves no empty group behind.',
  },
  {
    client: /^raw$/,
    scenario: /^a classic group becomes a consumer group and back$/,
    path: /^\d+ c of another type\.memberId$/,
    reason: 'A member that is refused for its protocol type is told its id, as by a classic group.',
  },
]
