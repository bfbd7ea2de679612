// Holds a lock until its standard input ends or it is killed: started by file-lock.test.ts in a second process.
import { createNodeFiles } from '#storage/fs/node-files.ts'

const [path = '', useLibc] = process.argv.slice(2)
const lock = createNodeFiles({ useLibc: useLibc === 'true' }).lock(path)
process.stdout.write(lock === undefined ? 'refused\n' : 'held\n')
if (lock === undefined) process.exit(0)
process.stdin.resume()
process.stdin.on('end', () => {
  lock.release()
  process.exit(0)
})
