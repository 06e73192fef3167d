declare module 'event-source-polyfill' {
  interface Polyfill {
    onmessage: ((message: { readonly data: string }) => void) | null
    readonly readyState: number
    close(): void
  }
  const polyfill: { readonly EventSourcePolyfill: new (url: string) => Polyfill }
  export = polyfill
}
