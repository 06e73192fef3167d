/**
 * Which dispatcher sees to which endpoint: of those that run, the one for which a hash of both is highest. So all agree without
 * a word, and who comes or goes moves no endpoint of others. While they do not agree, two may see to the same endpoint: an event
 * is still handed out to one of them, and the concurrency is at most twice as high for a second.
 */
import { createHash } from 'node:crypto'

const weightOf = (dispatcher: string, subscription: number): string =>
  createHash('md5').update(`${dispatcher} ${subscription}`).digest('hex')

export function isMine(me: string, all: readonly string[], subscription: number): boolean {
  const mine = weightOf(me, subscription)
  return all.every((other) => other === me || weightOf(other, subscription) < mine)
}
