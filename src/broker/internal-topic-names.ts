// The names of the topics that belong to the coordinators.

/** What groups have committed. */
export const OFFSETS = '__consumer_offsets'
/** What transactions there are. */
export const TRANSACTIONS = '__transaction_state'
/** What share groups have taken. */
export const SHARES = '__share_group_state'

/** Whether the topic is a coordinator's. */
export function isInternalTopic(name: string): boolean {
  return name === OFFSETS || name === TRANSACTIONS || name === SHARES
}
