import { useEffect, useRef } from 'preact/hooks'
import { Toasts } from '../components/toast.tsx'
import { isLoginDue } from '../http/call.ts'
import { firstReads } from '../http/poll.ts'
import { matchPath } from '../routing/match.ts'
import { route } from '../routing/route.ts'
import { may, session } from '../session/session.ts'
import { visible } from '../text/visible.ts'
import { Login } from '../views/login.tsx'
import { NotAllowed } from '../views/not-allowed.tsx'
import { NotFound } from '../views/not-found.tsx'
import { views } from '../views/registry.ts'
import { HealthBanner } from './health.tsx'
import { keepFocus } from './keep-focus.ts'
import { Navigation } from './navigation.tsx'
import { SessionWatch } from './session-watch.tsx'

/** The frame around every view. */
export function Layout() {
  const { view, params } = currentView()
  const main = useRef<HTMLElement>(null)
  const path = route.value.segments.join('/')
  const title = isLoginDue.value ? 'Log in' : visible(view?.title(params) ?? 'Nothing here')
  useEffect(() => {
    document.title = `${title} · Sekali`
  }, [title])
  const isFirst = useRef(true)
  // Another view begins at its top, and is read out
  useEffect(() => {
    if (!isFirst.current) {
      // A view may have taken the focus to its first field
      if (!main.current?.querySelector(':focus')) main.current?.focus()
      scrollTo(0, 0)
    }
    isFirst.current = false
  }, [path])
  useEffect(() => (main.current ? keepFocus(main.current) : undefined), [])
  const scope = isLoginDue.value ? undefined : view?.scope
  const isAllowed = scope === undefined || session.value === undefined || may(scope)
  const Component = isLoginDue.value ? Login : (view?.component ?? NotFound)
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <Navigation current={view} />
      <main ref={main} id="main" tabIndex={-1}>
        {!isLoginDue.value && <SessionWatch />}
        {!isLoginDue.value && <HealthBanner />}
        {isAllowed ? <Component key={path} params={params} /> : <NotAllowed title={title} scope={scope} />}
        {firstReads.value > 0 && <p class="reading">Reading …</p>}
      </main>
      <Toasts />
    </div>
  )
}

function currentView() {
  const { segments } = route.value
  for (const view of views) {
    const params = matchPath(view.path, segments, view.shapes)
    if (params) return { view, params }
  }
  return { view: undefined, params: {} }
}
