import { reportTopics } from '../events.ts'
import type { Side } from '../row.ts'
import { endToEnd } from './end-to-end.ts'

export interface SingleCostOptions {
  readonly requests: number
  readonly consumers: number
}

const connections = 64

/**
 * Processor time that consumers and PostgreSQL take for a single event, in microseconds: for all that they do until the last
 * one is accounted for, while events come as fast as they are answered.
 */
export const singleCost = ({ requests, consumers }: SingleCostOptions): Side => {
  const load = { events: requests, batch: 1, connections, duplicates: 0 }
  const side = endToEnd({ name: 'sekali', consumers, topics: reportTopics, ...load })
  return {
    name: side.name,
    open: async (bench) => {
      const opened = await side.open(bench)
      return {
        measure: async (round) => {
          const measure = await opened.measure(round)
          const each = (isCounted: (name: string) => boolean) =>
            (1e6 * sumOf(measure.cpu, isCounted)) / bench.scaled(requests)
          const [ofConsumers, ofPostgres] = [each(isConsumer), each((name) => name === 'postgres')]
          const also = { ...measure.also, 'consumers µs': ofConsumers, 'postgres µs': ofPostgres }
          return { ...measure, value: ofConsumers + ofPostgres, also }
        },
        [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
      }
    },
  }
}

const isConsumer = (name: string): boolean => name.startsWith('consumer')

const sumOf = (cpu: Readonly<Record<string, number>>, isCounted: (name: string) => boolean): number =>
  Object.entries(cpu).reduce((sum, [name, seconds]) => sum + (isCounted(name) ? seconds : 0), 0)
