import { InvalidArgumentError } from 'commander'
import { time } from '../../time.ts'

/**
 * Where a subscription begins, as the gateway takes it: `start`, `now`, a seq, a cursor, or a time as people write it. What is
 * none of these is a cursor, perhaps: the gateway says whether it knows it.
 */
export function place(text: string): string {
  if (text === 'start' || text === 'now' || /^(?:\d{1,10}\.)?\d{1,16}$/.test(text)) return text
  try {
    return time(text)
  } catch (error) {
    if (error instanceof InvalidArgumentError && !/^\d{4}-\d\d-\d\d/.test(text)) return text
    throw error
  }
}
