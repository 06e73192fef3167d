import { Badge, Button } from '../components/basics.tsx'
import type { Problem } from '../http/problem.ts'
import { goTo, withQuery } from '../routing/route.ts'
import type { Log } from './use-log.ts'

const states = {
  off: ['unknown', 'paused'],
  connecting: ['unknown', 'connecting'],
  live: ['ok', 'live'],
  refused: ['unknown', 'not live'],
  waiting: ['warning', 'connection lost, trying again'],
} as const

/** Whether the list follows the log; the URL keeps it. What cannot be followed says why, and the list stays. */
export function LiveSwitch({ log: { state, refusal } }: { log: Log }) {
  const [tone, words] = states[state]
  const isOn = state !== 'off'
  return (
    <span class="live">
      <span role="status">
        {refusal && <span class="faint">{hintOf(refusal)}</span>} <Badge tone={tone}>{words}</Badge>
      </span>
      {state !== 'refused' && (
        <Button onClick={() => goTo(withQuery({ live: isOn ? 'off' : 'on' }), { replace: true })}>
          {isOn ? 'Pause' : 'Go live'}
        </Button>
      )}
    </span>
  )
}

const hintOf = ({ code, message }: Problem): string =>
  code === 'too_many_topics' ? 'Following needs a pattern of at most 500 topics.' : message
