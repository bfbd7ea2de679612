// Results of partitions, put together by topic as answers want them.

/** The items of each topic, topics in the order in which they first come. */
export function groupByTopic<T extends { readonly topic: string }>(
  items: readonly T[],
): { readonly topic: string; readonly items: readonly T[] }[] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(item.topic)
    if (group) group.push(item)
    else groups.set(item.topic, [item])
  }
  return Array.from(groups, ([topic, grouped]) => ({ topic, items: grouped }))
}
