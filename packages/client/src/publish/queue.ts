import { QueueFull } from '../errors.ts'

/** An event that was given to a batcher. */
export interface Item {
  readonly text: string
  readonly bytes: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** What waits to be sent, and whether it fills a batch. */
export function createQueue(eventsMax: number, bytesMax: number) {
  const items: Item[] = []
  let waitingBytes = 0
  return {
    hasAny: () => items.length > 0,
    isFull: () => items.length >= eventsMax || waitingBytes >= bytesMax,
    add(item: Item): void {
      items.push(item)
      waitingBytes += item.bytes
    },
    takeBatch(): Item[] {
      let bytes = 0
      const end = items.findIndex((item, index) => {
        bytes += item.bytes
        return index >= eventsMax || (index > 0 && bytes > bytesMax)
      })
      const batch = items.splice(0, end === -1 ? items.length : end)
      waitingBytes -= bytesOf(batch)
      return batch
    },
  }
}

/** What waits or is under way, who waits until there is room for more, and who waits until it is answered. */
export function createHeld(eventsMax: number, bytesMax: number) {
  let events = 0
  let bytes = 0
  let answered = 0 // batches are answered in order, so this many events from the first one on
  const forRoom: (() => void)[] = []
  let forAnswer: { readonly upTo: number; readonly resolve: () => void }[] = []
  const hasRoom = () => events < eventsMax && bytes < bytesMax
  return {
    isEmpty: () => events === 0,
    requireRoom(): void {
      if (hasRoom()) return
      throw new QueueFull(`${events} events wait to be sent; await ready() before each publish`)
    },
    async untilRoom(): Promise<void> {
      while (!hasRoom()) await new Promise<void>((resolve) => forRoom.push(resolve))
    },
    add(item: Item): void {
      events += 1
      bytes += item.bytes
    },
    /** Resolves when everything that is held now has been answered. */
    untilAnswered: () => new Promise<void>((resolve) => forAnswer.push({ upTo: answered + events, resolve })),
    onAnswer(batch: readonly Item[]): void {
      events -= batch.length
      bytes -= bytesOf(batch)
      answered += batch.length
      forAnswer = forAnswer.filter(({ upTo, resolve }) => upTo > answered || resolve())
      if (hasRoom()) for (const resolve of forRoom.splice(0)) resolve()
    },
  }
}

const bytesOf = (batch: readonly Item[]) => batch.reduce((sum, { bytes }) => sum + bytes, 0)
