import { signal } from '@preact/signals'
import { isVisible } from '../http/poll.ts'
import { agoText, clockText } from '../text/words.ts'

/** The time by which all relative times on the page go: ms since 1970. */
const now = signal(Date.now())
setInterval(() => {
  if (isVisible.peek()) now.value = Date.now()
}, 1_000)

/** A time in UTC, as the API has it: how long ago, or the clock's. Its title is exact. */
export function Time({ at, as = 'ago' }: { at: string; as?: 'ago' | 'clock' }) {
  const ms = Date.parse(at)
  if (Number.isNaN(ms)) return <span>{at}</span>
  return (
    <time dateTime={at} title={at}>
      {as === 'ago' ? agoText(ms, now.value) : clockText(ms, now.value, { withMs: true })}
    </time>
  )
}
