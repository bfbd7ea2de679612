// Where our answers to the recorded requests differ from Kafka's, and why that is right.
import { APIS } from '#routes/kafka/dispatch.ts'
import type { FoundDifference } from './replayer.ts'

/** One row: which differences it covers, and why they are there. */
export interface ExpectedDifference {
  readonly why: string
  readonly matches: (found: FoundDifference) => boolean
}

const served = new Set(APIS.map(({ key }) => key))

/** The table. */
export const EXPECTED: readonly ExpectedDifference[] = [
  {
    why: 'Transactions, share and streams groups, quotas, rights and tokens are not served yet, and not advertised',
    matches: ({ api, path, ours }) => {
      const key = /^apiKeys\[(\d+)\]$/.exec(path)?.[1]
      return (
        api === 'ApiVersions' && key !== undefined && ours === undefined && !served.has(Number(key))
      )
    },
  },
  {
    why: 'The epoch of the features is an offset in the metadata log, which every cluster counts for itself',
    matches: ({ api, path }) => api === 'ApiVersions' && path === 'finalizedFeaturesEpoch',
  },
  {
    why: 'Features of transactions, share and streams groups are advertised when they are there',
    matches: ({ api, path }) =>
      api === 'ApiVersions' &&
      /^(finalized|supported)Features\[(share|streams|transaction)\.version\]/.test(path),
  },
  {
    why: 'Kafka answers UNKNOWN_TOPIC_OR_PARTITION while it creates a topic; ours answers when it is there',
    matches: ({ api, path, kafka, ours }) =>
      api === 'Metadata' &&
      ((/^topics\[[^\]]+\]\.errorCode$/.test(path) && kafka === 3 && ours === 0) ||
        (/^topics\[[^\]]+\]\.(partitions\[\d+\]|topicId)$/.test(path) && !isGiven(kafka))),
  },
  {
    why: 'Kafka answers COORDINATOR_LOAD_IN_PROGRESS until it has its first block of producer ids; ours has it at once',
    matches: ({ api, path, kafka, ours }) =>
      api === 'InitProducerId' &&
      ((path === 'errorCode' && kafka === 14 && ours === 0) || (kafka === -1 && ours !== -1)),
  },
  {
    why: 'Kafka names no synonym in other units (log.retention.hours), although its value counts; ours says where a value comes from',
    matches: ({ api, path, kafka }) =>
      api === 'DescribeConfigs' &&
      kafka === undefined &&
      /\.synonyms\[log\.(retention\.hours|roll\.hours|roll\.jitter\.hours|flush\.scheduler\.interval\.ms)\]$/.test(
        path,
      ),
  },
  {
    why: 'How full a disk is',
    matches: ({ api, path }) => api === 'DescribeLogDirs' && /\.(total|usable)Bytes$/.test(path),
  },
]

/** Kafka gave something: not nothing, and not the id of nothing. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== 'AAAAAAAAAAAAAAAAAAAAAA'
}

/** Whether the table covers it. */
export function isExpected(found: FoundDifference): boolean {
  return EXPECTED.some((row) => row.matches(found))
}
