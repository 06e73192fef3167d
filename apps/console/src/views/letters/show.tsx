import { useState } from 'preact/hooks'
import { Badge, Button, PageHead } from '../../components/basics.tsx'
import { Details } from '../../components/facts.tsx'
import { Name } from '../../components/name.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { Time } from '../../components/time.tsx'
import { usePolled } from '../../http/poll.ts'
import { linkTo } from '../../routing/url.ts'
import { Allowed } from '../../session/allowed.tsx'
import { may } from '../../session/session.ts'
import type { View, ViewProps } from '../view.ts'
import { ConflictContent } from './conflict.tsx'
import { Delivered, EntryContent } from './content.tsx'
import { type LetterWithContent, readLetter, reasonWords, stateWords } from './letter.ts'
import { RedriveDialog } from './redrive.tsx'
import { DiscardDialog, PublishAsDialog } from './settle.tsx'

export const letterView: View = {
  path: 'dead-letters/:id',
  shapes: { id: /^[ecd]-\d+$/ },
  title: ({ id }) => `Letter ${id}`,
  component: ShownLetter,
  scope: 'read',
}

function ShownLetter({ params: { id = '' } }: ViewProps) {
  const { data: letter, problem, refresh } = usePolled(id, (signal) => readLetter(id, signal))
  return (
    <>
      <PageHead title={letter?.kind === 'conflict' ? `Conflict ${id}` : `Dead letter ${id}`}>
        {letter && <Actions letter={letter} onSettled={refresh} />}
      </PageHead>
      <ProblemBanner problem={problem} title="The letter could not be read" />
      {letter && (
        <div class="stack">
          <About letter={letter} />
          <LetterContent letter={letter} />
        </div>
      )}
    </>
  )
}

function LetterContent({ letter }: { letter: LetterWithContent }) {
  if (letter.kind === 'entry') return <EntryContent letter={letter} />
  return letter.kind === 'conflict' ? <ConflictContent letter={letter} /> : <Delivered letter={letter} />
}

function About({ letter }: { letter: LetterWithContent }) {
  const { topic, event_id, reason, seq, entry_id, received_at, stored_at, settled } = letter
  const { subscription, attempts, said } = letter
  const topicLink = <a href={linkTo(['topics', topic])}>{topic}</a>
  return (
    <section class="card wide-details" aria-label="About it">
      <Details
        rows={[
          ['State', <StateWords key="state" letter={letter} />],
          ['Topic', <bdi key="topic">{topicLink}</bdi>],
          ['Event id', event_id === null ? 'cannot be read' : <Name of={event_id} />],
          [
            'Reason',
            <span key="reason">
              <code>{reason}</code> {reasonWords(reason)}
            </span>,
          ],
          said !== undefined && ['Its worker said', <Name key="said" of={said} />],
          subscription !== undefined && [
            'Subscription',
            <a key="subscription" href={linkTo(['subscriptions', subscription])}>
              {subscription}
            </a>,
          ],
          attempts !== undefined && ['Attempts', String(attempts)],
          seq !== undefined && [
            'In the log',
            event_id === null ? `seq ${seq}` : <a href={linkTo(['events', topic, event_id])}>seq {seq}</a>,
          ],
          entry_id !== undefined && ['Entry in Redis', <code key="entry">{entry_id}</code>],
          ['Received', <Time key="received" at={received_at} />],
          ['Kept since', <Time key="stored" at={stored_at} />],
          settled?.operation !== undefined && [
            'By operation',
            <OperationLink key="operation" id={settled.operation} />,
          ],
          settled?.reason !== undefined && ['Because', <Name key="because" of={settled.reason} />],
          settled?.event_id !== undefined && [
            'Published as',
            <a key="as" href={linkTo(['events', topic, settled.event_id])}>
              <Name of={settled.event_id} />
            </a>,
          ],
        ]}
      />
    </section>
  )
}

const OperationLink = ({ id }: { id: number }) =>
  may('admin') ? <a href={linkTo(['operations', String(id)])}>{id}</a> : <span>{id}</span>

function StateWords({ letter }: { letter: LetterWithContent }) {
  const { settled } = letter
  return (
    <>
      <Badge tone={settled === undefined ? 'warning' : 'ok'}>{stateWords(letter)}</Badge>
      {settled && (
        <span class="faint">
          {' '}
          <Time at={settled.at} /> by <Name of={settled.by} />
        </span>
      )}
    </>
  )
}

type Asked = 'redrive' | 'discard' | 'publish-as'

/** What can be done about it; nothing once somebody has dealt with it. */
function Actions({ letter, onSettled }: { letter: LetterWithContent; onSettled: () => void }) {
  const [asked, setAsked] = useState<Asked>()
  // What is no event cannot be appended once more
  const { kind, kept, state } = letter
  if (state !== 'open') return null
  const close = () => setAsked(undefined)
  const dialog = (name: Asked) => ({ isOpen: asked === name, onClose: close, letter, onSettled })
  return (
    <Allowed scope="admin" what="Settling a letter">
      <Button kind="danger" onClick={() => setAsked('discard')}>
        Discard…
      </Button>
      {letter.event && (
        <Button kind="primary" onClick={() => setAsked('redrive')}>
          Redrive…
        </Button>
      )}
      {kept && kind === 'conflict' && (
        <Button kind="primary" onClick={() => setAsked('publish-as')}>
          Publish as…
        </Button>
      )}
      <DiscardDialog {...dialog('discard')} />
      <PublishAsDialog {...dialog('publish-as')} />
      <RedriveDialog
        filter={{ id: letter.id, subscription: letter.subscription }}
        isOpen={asked === 'redrive'}
        onClose={close}
      />
    </Allowed>
  )
}
