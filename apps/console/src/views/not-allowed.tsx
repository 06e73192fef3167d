import type { Scope } from '@sekali/core/access'
import { Empty, PageHead } from '../components/basics.tsx'
import { session } from '../session/session.ts'

/** Instead of a view that would show nothing. */
export function NotAllowed({ title, scope }: { title: string; scope: Scope }) {
  return (
    <>
      <PageHead title={title} />
      <Empty title={`This view needs a key with the scope ${scope}.`}>
        Yours has {session.value?.scopes.join(', ')}. Log in with another, or ask whoever makes keys.
      </Empty>
    </>
  )
}
