// API key 35: DescribeLogDirs, log directories and their partitions.
import { array, nullableArray, struct } from '../codec/composites.ts'
import { ignorable, since } from '../codec/fields.ts'
import { type Infer, message } from '../codec/message.ts'
import { bool, int16, int32, int64, string } from '../codec/primitives.ts'

/**
 * An admin asks what lies in the log directories; null topics: everything (KIP-113). v2: flexible.
 * v3 to v5: more in the answer.
 */
export const DescribeLogDirsRequest = message(
  { key: 35, versions: [1, 5], flexible: 2 },
  { topics: nullableArray(struct({ topic: string(), partitions: array(int32()) })) },
)
/** DescribeLogDirsRequest, decoded. */
export type DescribeLogDirsRequest = Infer<typeof DescribeLogDirsRequest>

/**
 * Every log directory with its partitions and their sizes (KIP-113). v1: answered before
 * throttling (KIP-219). v2: flexible. v3: top-level error (KIP-784). v4: total and usable bytes
 * (KIP-827). v5: whether it takes no new partitions (KIP-1066).
 */
export const DescribeLogDirsResponse = message(
  { key: 35, versions: [1, 5], flexible: 2 },
  {
    throttleTimeMs: int32(),
    errorCode: ignorable(since(3, int16())),
    results: array(
      struct({
        errorCode: int16(),
        logDir: string(),
        topics: array(
          struct({
            name: string(),
            partitions: array(
              struct({
                partitionIndex: int32(),
                partitionSize: int64(),
                offsetLag: int64(),
                isFutureKey: bool(),
              }),
            ),
          }),
        ),
        totalBytes: ignorable(since(4, int64(), -1)),
        usableBytes: ignorable(since(4, int64(), -1)),
        isCordoned: ignorable(since(5, bool())),
      }),
    ),
  },
)
/** DescribeLogDirsResponse, decoded. */
export type DescribeLogDirsResponse = Infer<typeof DescribeLogDirsResponse>
