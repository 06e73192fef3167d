/** One attempt, with request and answer; its event can be sent again. */
import type { Attempt, HeaderValues } from '@sekali/client/operate'
import { Badge, Button } from '../../../components/basics.tsx'
import { Dialog } from '../../../components/dialog.tsx'
import { Details } from '../../../components/facts.tsx'
import { Name } from '../../../components/name.tsx'
import { ProblemBanner } from '../../../components/problem-banner.tsx'
import { RawText } from '../../../components/raw-text.tsx'
import { Time } from '../../../components/time.tsx'
import { announce } from '../../../components/toast.tsx'
import { call, pathOf } from '../../../http/call.ts'
import { useAction } from '../../../http/use-action.ts'
import { may } from '../../../session/session.ts'
import { countText, durationText } from '../../../text/words.ts'

interface AttemptProps {
  readonly name: string
  /** undefined while none is looked at. */
  readonly attempt: Attempt | undefined
  readonly onClose: () => void
}

export function AttemptDialog({ name, attempt, onClose }: AttemptProps) {
  const retrying = useAction(async () => {
    if (attempt?.topic == null || attempt.seq === null) return
    const path = pathOf(['subscriptions', name, 'deliveries', attempt.topic, String(attempt.seq), 'retry'])
    await call(path, { method: 'POST' })
    announce('It is sent again')
    onClose()
  })
  const close = () => {
    retrying.reset()
    onClose()
  }
  const canRetry = attempt?.topic != null && may('admin')
  return (
    <Dialog
      title={`Attempt ${attempt?.id ?? ''}`}
      isOpen={attempt !== undefined}
      onClose={close}
      actions={
        <>
          <Button onClick={close}>Close</Button>
          {canRetry && (
            <Button kind="primary" busy={retrying.isBusy} onClick={() => retrying.run()}>
              Send it again
            </Button>
          )}
        </>
      }
    >
      {attempt && <About attempt={attempt} />}
      <ProblemBanner problem={retrying.problem} title="It could not be sent again" />
    </Dialog>
  )
}

export function About({ attempt }: { attempt: Attempt }) {
  const { topic, seq, state, status, error, response, request, retry_in_s: again } = attempt
  return (
    <div class="stack">
      <Details
        rows={[
          topic !== null && ['Event', <Name key="event" of={`${topic} ${seq}`} />],
          ['When', <Time key="when" at={attempt.at} as="clock" />],
          [
            'Outcome',
            <span key="outcome">
              <Badge tone={state === 'delivered' ? 'ok' : 'problem'}>{state}</Badge> {error ?? status}
            </span>,
          ],
          ['Took', `${countText(attempt.duration_ms)} ms`],
          again !== null && ['Again', `in ${durationText(again * 1_000)}`],
          ['Sent to', <Name key="url" of={request.url} />],
        ]}
      />
      <h3>Request headers</h3>
      <RawText text={linesOf(request.headers)} of="the request's headers" />
      <h3>Answer</h3>
      {response === null ? (
        <p>None came.</p>
      ) : (
        <>
          <RawText text={linesOf(response.headers)} of="the answer's headers" />
          {response.body === '' ? (
            <p>Its body is empty.</p>
          ) : (
            <RawText text={response.body} of="the answer's body" />
          )}
          {response.cut && <p class="faint">There was more: this is the beginning.</p>}
        </>
      )}
    </div>
  )
}

const linesOf = (headers: HeaderValues): string =>
  Object.entries(headers)
    .flatMap(([name, values]) => [values].flat().map((value) => `${name}: ${value}`))
    .join('\n')
