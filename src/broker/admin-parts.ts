// What the rooms of the admin face are built with.
import type { Clock } from '#storage/base/world.ts'
import type { MetadataProvider } from '../metadata/provider.ts'
import type { EffectiveConfigs } from '../partitions/effective-configs.ts'
import type { LogDirectory } from '../partitions/log-directories.ts'
import type { Partitions } from '../partitions/partitions.ts'
import type { Broker } from './broker.ts'

/** The parts that admin calls stand on. */
export interface AdminParts {
  /** For what doors can do without the admin face too. */
  readonly broker: Pick<Broker, 'nodeId' | 'ensureTopic' | 'describeConfigs'>
  readonly clock: Clock
  readonly provider: MetadataProvider
  readonly partitions: Partitions
  readonly configs: EffectiveConfigs
  logDirectories(): readonly LogDirectory[]
}
