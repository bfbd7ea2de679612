// DescribeLogDirs: the directories of this broker, what lies in them and what room is left.
import type { LogDirState } from '#src/broker/admin.ts'
import { errorCode, NO_ERROR } from '#src/protocol/error-codes.ts'
import {
  DescribeLogDirsRequest,
  DescribeLogDirsResponse,
} from '#src/protocol/messages/35-describe-log-dirs.ts'
import { api } from '../api.ts'
import { groupByTopic } from '../group-by-topic.ts'

/** A directory that is offline says so. Nothing lags here: this broker leads what it has. */
export const describeLogDirs = api({
  request: DescribeLogDirsRequest,
  response: DescribeLogDirsResponse,
  handle({ broker, session }, { topics }) {
    const wanted =
      topics &&
      new Set(topics.flatMap(({ topic, partitions }) => partitions.map((n) => `${topic}-${n}`)))
    const isWanted: IsWanted = ({ topic, partition }) =>
      wanted?.has(`${topic}-${partition}`) ?? true
    const directories = broker.admin.logDirs.describe(session)
    const results = directories.map((directory) => entry(directory, isWanted))
    return { throttleTimeMs: 0, errorCode: NO_ERROR, results }
  },
  refuse: ({ code }) => ({ throttleTimeMs: 0, errorCode: errorCode(code), results: [] }),
})

type IsWanted = (log: LogDirState['logs'][number]) => boolean

function entry(directory: LogDirState, isWanted: IsWanted) {
  const { path, isOffline, logs, totalBytes, usableBytes } = directory
  if (isOffline) return { errorCode: errorCode('KAFKA_STORAGE_ERROR'), logDir: path, topics: [] }
  return {
    errorCode: NO_ERROR,
    logDir: path,
    topics: groupByTopic(logs.filter(isWanted)).map(({ topic, items }) => ({
      name: topic,
      partitions: items.map(({ partition, sizeInBytes }) => ({
        partitionIndex: partition,
        partitionSize: sizeInBytes,
        offsetLag: 0,
        isFutureKey: false,
      })),
    })),
    totalBytes,
    usableBytes,
  }
}
