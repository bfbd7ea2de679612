// A thread for tests: answers with what it is asked, or fails in the way that it is asked for.
import { serveThread } from '#storage/base/background-thread.ts'
import { AssertionError, KafkaError, StorageFault } from '#storage/base/errors.ts'
import { systemError } from '#storage/fs/system-error.ts'

serveThread(async (request, isInterrupted) => {
  switch (request) {
    case 'refuse':
      throw new KafkaError('CORRUPT_MESSAGE', 'refused')
    case 'fault':
      throw new StorageFault('a fault')
    case 'bug':
      throw new AssertionError('a bug')
    case 'full':
      throw systemError('ENOSPC', 'full')
    case 'exit':
      process.exit(3)
      break
    case 'wait':
      while (!isInterrupted()) await new Promise((resolve) => setTimeout(resolve, 1))
      return 'interrupted'
    default:
      return request
  }
})
