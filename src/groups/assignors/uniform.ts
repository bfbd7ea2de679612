// The uniform assignor: as even as subscriptions allow, moving as little as possible.
import type { Assignor } from './assignor.ts'
import { assignHeterogeneous } from './uniform-heterogeneous.ts'
import { assignHomogeneous } from './uniform-homogeneous.ts'

/** Balances the number of partitions per member over all topics, and is sticky. The default of Kafka's groups. */
export const uniform: Assignor = {
  name: 'uniform',
  assign: (input) =>
    input.subscriptionType === 'homogeneous'
      ? assignHomogeneous(input)
      : assignHeterogeneous(input),
}
