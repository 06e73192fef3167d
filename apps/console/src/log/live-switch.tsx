import { Badge, Button } from '../components/basics.tsx'
import { goTo, withQuery } from '../routing/route.ts'
import type { Log } from './use-log.ts'

const states = {
  off: ['unknown', 'paused'],
  connecting: ['unknown', 'connecting'],
  live: ['ok', 'live'],
  refused: ['problem', 'refused'],
  waiting: ['warning', 'connection lost, trying again'],
} as const

/** Whether the list follows the log; the URL keeps it. */
export function LiveSwitch({ log: { state } }: { log: Log }) {
  const [tone, words] = states[state]
  const isOn = state !== 'off'
  return (
    <span class="live">
      <span role="status">
        <Badge tone={tone}>{words}</Badge>
      </span>
      <Button onClick={() => goTo(withQuery({ live: isOn ? 'off' : 'on' }), { replace: true })}>
        {isOn ? 'Pause' : 'Go live'}
      </Button>
    </span>
  )
}
