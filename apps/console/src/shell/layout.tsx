import { useEffect, useRef } from 'preact/hooks'
import { Toasts } from '../components/toast.tsx'
import { isLoginDue } from '../http/call.ts'
import { matchPath } from '../routing/match.ts'
import { route } from '../routing/route.ts'
import { readSession } from '../session/session.ts'
import { Login } from '../views/login.tsx'
import { NotFound } from '../views/not-found.tsx'
import { views } from '../views/registry.ts'
import { HealthBanner } from './health.tsx'
import { Navigation } from './navigation.tsx'

/** The frame around every view. */
export function Layout() {
  const { view, params } = currentView()
  const main = useRef<HTMLElement>(null)
  const path = route.value.segments.join('/')
  const title = isLoginDue.value ? 'Log in' : (view?.title(params) ?? 'Nothing here')
  useEffect(() => {
    document.title = `${title} · Sekali`
  }, [title])
  // Who cannot be told who he is now gets to know it with the answers to everything else
  useEffect(() => void readSession().catch(() => undefined), [])
  const isFirst = useRef(true)
  // Another view begins at its top, and is read out
  useEffect(() => {
    if (!isFirst.current) {
      main.current?.focus()
      scrollTo(0, 0)
    }
    isFirst.current = false
  }, [path])
  const Component = isLoginDue.value ? Login : (view?.component ?? NotFound)
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <Navigation current={view} />
      <main ref={main} id="main" tabIndex={-1}>
        {!isLoginDue.value && <HealthBanner />}
        <Component key={path} params={params} />
      </main>
      <Toasts />
    </div>
  )
}

function currentView() {
  const { segments } = route.value
  for (const view of views) {
    const params = matchPath(view.path, segments)
    if (params) return { view, params }
  }
  return { view: undefined, params: {} }
}
