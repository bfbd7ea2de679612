// The HTTP door for a broker that may never be asked over HTTP: the app is loaded with the first request.
import type { RequestEnvironment, UpgradeLoader } from '#src/platform/serve.ts'
import { lateModule } from '#storage/base/late-modules.ts'
import type { HttpDoor, HttpDoorOptions } from './app.ts'

/** What a server and a broker need of a door. */
export type ServableDoor = Omit<HttpDoor, 'routes'>

/** Loads the app over these options. */
export type LoadDoor = (options: HttpDoorOptions) => Promise<HttpDoor>

/**
 * A door whose app is loaded with the first request, which waits for it as those that come meanwhile do. When that fails,
 * `onBug` is told and they are answered with 500; the next request tries again, where the runtime does (Node does; Bun and
 * Deno keep to what a module's first read gave, which is why descriptors are set aside for it).
 */
export class LateDoor implements ServableDoor {
  readonly #options: HttpDoorOptions
  readonly #load: LoadDoor
  #door: HttpDoor | undefined
  #loading: Promise<HttpDoor | undefined> | undefined
  #upgrade: UpgradeLoader | undefined
  #hasEnded = false

  constructor(options: HttpDoorOptions, load: LoadDoor = loadDoor) {
    this.#options = options
    this.#load = load
  }

  fetch(request: Request, environment?: Partial<RequestEnvironment>): Promise<Response> {
    return this.#door?.fetch(request, environment) ?? this.#fetchLate(request, environment)
  }

  mountWebSockets(upgrade: UpgradeLoader): void {
    this.#upgrade = upgrade
    this.#door?.mountWebSockets(upgrade)
  }

  endStreams(): void {
    this.#hasEnded = true
    this.#door?.endStreams()
  }

  async #fetchLate(
    request: Request,
    environment: Partial<RequestEnvironment> | undefined,
  ): Promise<Response> {
    this.#loading ??= this.#open().catch((error: unknown) => this.#failed(error))
    const door = await this.#loading
    if (door) return await door.fetch(request, environment)
    const body = { error_code: 500, message: 'The HTTP door could not be loaded' }
    return Response.json(body, { status: 500 })
  }

  async #open(): Promise<HttpDoor> {
    const door = await this.#load(this.#options)
    if (this.#upgrade) door.mountWebSockets(this.#upgrade)
    if (this.#hasEnded) door.endStreams()
    this.#door = door
    return door
  }

  #failed(error: unknown): undefined {
    this.#loading = undefined
    this.#options.onBug?.(error)
  }
}

const app = lateModule(() => import('./app.ts'))

async function loadDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const { httpDoor } = await app()
  return httpDoor(options)
}
