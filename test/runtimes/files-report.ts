// Says what the machine's files can do under the permissions it was started with: for files-without-ffi.test.ts.
import { createNodeFiles } from '#storage/fs/node-files.ts'

const [directory = '.'] = process.argv.slice(2)
const files = createNodeFiles()
const file = files.open(`${directory}/f`, 'create')
file.write(Uint8Array.of(1, 2, 3), 0)
await file.sync()
const map = files.map(`${directory}/f`, 3)
const lock = files.lock(`${directory}/.lock`)
process.stdout.write(
  `wrote ${file.size()}, mapped ${map?.populate(0, 3) ?? false}, locked ${lock !== undefined}, seen by Kafka ${lock?.isSeenByKafka}\n`,
)
lock?.release()
