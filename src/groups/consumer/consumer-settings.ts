// The settings of consumer groups, read once per change of metadata: every heartbeat asks for them.
import type { BrokerConfig } from '../../config/broker-config.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import type { GroupParts } from '../group-parts.ts'

/** What a group may set for itself. */
export interface ConsumerSettings {
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** The least time between two target assignments. */
  readonly assignmentIntervalMs: number
}

/** Of so many groups settings are kept; then it begins anew, which costs time alone. */
const MAX_GROUPS = 10_000

/** Looks settings up in the newest image, and keeps them until it or the broker's settings change. */
export class ConsumerSettingsCache {
  readonly #parts: Pick<GroupParts, 'configs' | 'image'>
  readonly #settings = new Map<string, ConsumerSettings>()
  #image: MetadataImage | undefined
  #broker: BrokerConfig | undefined

  constructor(parts: Pick<GroupParts, 'configs' | 'image'>) {
    this.#parts = parts
  }

  /** The settings in force of a group. */
  of(groupId: string): ConsumerSettings {
    const { configs } = this.#parts
    const image = this.#parts.image()
    if (image !== this.#image || configs.broker !== this.#broker) {
      this.#settings.clear()
      this.#image = image
      this.#broker = configs.broker
    }
    const known = this.#settings.get(groupId)
    if (known) return known
    if (this.#settings.size >= MAX_GROUPS) this.#settings.clear()
    const config = configs.group(groupId)
    const settings = {
      sessionTimeoutMs: config.number('consumer.session.timeout.ms'),
      heartbeatIntervalMs: config.number('consumer.heartbeat.interval.ms'),
      assignmentIntervalMs: config.number('consumer.assignment.interval.ms'),
    }
    this.#settings.set(groupId, settings)
    return settings
  }
}
