// The hash that Kafka's coordinators choose partitions by.

/** Java's `String.hashCode`: over UTF-16 units, as int32. */
export function javaHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  }
  return hash
}
