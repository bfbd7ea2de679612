// The settings in force: what was written at start, under what the metadata log has changed since.
import type { BrokerConfig } from '../config/broker-config.ts'
import { GroupConfig } from '../config/group-config.ts'
import { TopicConfig } from '../config/topic-config.ts'
import type { MetadataDelta } from '../metadata/delta.ts'
import { CONFIG_RESOURCE, EMPTY_IMAGE, type MetadataImage } from '../metadata/image.ts'

/** The settings of this broker, of every topic and every group, as of the newest delta that was applied. */
export class EffectiveConfigs {
  readonly #nodeId: number
  readonly #written: BrokerConfig
  #image: MetadataImage = EMPTY_IMAGE
  #broker: BrokerConfig

  constructor(nodeId: number, written: BrokerConfig) {
    this.#nodeId = nodeId
    this.#written = written
    this.#broker = written
  }

  get broker(): BrokerConfig {
    return this.#broker
  }

  topic(name: string): TopicConfig {
    const overrides = this.#image.configs({ type: CONFIG_RESOURCE.TOPIC, name })
    return new TopicConfig(overrides, this.#broker)
  }

  /** Of a group that exists or not. */
  group(groupId: string): GroupConfig {
    const overrides = this.#image.configs({ type: CONFIG_RESOURCE.GROUP, name: groupId })
    return new GroupConfig(overrides, this.#broker)
  }

  /** Takes over the newest image. Returns the topics whose settings may differ now; all of them as `undefined`. */
  apply({ image, configs }: MetadataDelta): ReadonlySet<string> | undefined {
    this.#image = image
    const topics = new Set<string>()
    let isBrokerChanged = false
    for (const { type, name } of configs) {
      if (type === CONFIG_RESOURCE.TOPIC) topics.add(name)
      if (type === CONFIG_RESOURCE.BROKER) isBrokerChanged ||= this.#concerns(name)
    }
    if (!isBrokerChanged) return topics
    this.#broker = this.#written.withDynamic(
      image.configs({ type: CONFIG_RESOURCE.BROKER, name: String(this.#nodeId) }),
      image.configs({ type: CONFIG_RESOURCE.BROKER, name: '' }),
    )
    return undefined
  }

  #concerns(brokerName: string): boolean {
    return brokerName === '' || brokerName === String(this.#nodeId)
  }
}
