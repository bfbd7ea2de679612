// What runs in the thread of a cleaning: the pass, on files that it opens for itself.
import { serveThread } from '../base/background-thread.ts'
import { assert, KafkaError } from '../base/errors.ts'
import { TimeSlices } from '../base/time-slices.ts'
import { systemClock } from '../base/world.ts'
import { FilePool } from '../fs/file-pool.ts'
import { MapCache } from '../fs/map-cache.ts'
import { createNodeFiles } from '../fs/node-files.ts'
import { ReadBufferPool } from '../fs/read-buffer.ts'
import { IndexCache } from '../segment/index-cache.ts'
import type { CleaningJob, CleaningRequest } from './cleaning-job.ts'
import { CleaningPass } from './cleaning-pass.ts'
import { Throttle } from './throttle.ts'

/** Nobody else needs this loop, but messages should not wait for ever. */
const SLICE_MS = 50
const OPEN_FILES = 8

// Without maps: this thread may wait for the disk.
const files = createNodeFiles({ useLibc: false })
const pool = new FilePool(files, OPEN_FILES)
let pass: CleaningPass | undefined

serveThread(async (message, isInterrupted) => {
  const request = message as CleaningRequest
  if ('begin' in request) {
    pass = passOf(request.begin, isInterrupted)
    return undefined
  }
  assert(pass, 'A cleaning begins before it maps or cleans')
  try {
    return 'map' in request ? await pass.buildMap(request.map) : await pass.clean(request.clean)
  } finally {
    // Not every runtime closes a thread's files with it, and what was replaced would take room for as long.
    pool.close()
  }
})

function passOf(job: CleaningJob, isInterrupted: () => boolean): CleaningPass {
  return new CleaningPass(job, {
    environment: {
      files,
      pool,
      indexCache: new IndexCache(),
      buffers: new ReadBufferPool(),
      directory: job.directory,
    },
    maps: new MapCache(files, { maxMaps: 0, maxBytes: 0 }),
    slices: new TimeSlices(systemClock, SLICE_MS),
    throttle: new Throttle(systemClock, () => job.bytesPerSecond),
    check() {
      if (isInterrupted()) throw new KafkaError('KAFKA_STORAGE_ERROR', 'The cleaning is given up')
    },
  })
}
