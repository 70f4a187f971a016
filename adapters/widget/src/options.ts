/** What a site chooses, by the script's data-* or by those of an element of its own. */
export interface Options {
  server: string
  title: string
  accent: string
  locale: string
  position: string
  greeting: string
  theme: string
  open: boolean
  launcher: boolean
}

export const OBSERVED = ['data-title', 'data-accent', 'data-locale', 'data-position', 'data-greeting', 'data-theme']

export function optionsOf(defaults: DOMStringMap, own: DOMStringMap, server: string): Options {
  const get = (name: string): string => own[name] ?? defaults[name] ?? ''
  return {
    server,
    title: get('title'),
    accent: get('accent'),
    locale: get('locale') || 'auto',
    position: get('position'),
    greeting: get('greeting'),
    theme: get('theme') || 'auto',
    open: (own['open'] ?? defaults['open'] ?? 'false') !== 'false',
    launcher: get('launcher') !== 'off',
  }
}

/** The folder that a script came from, with a slash at its end. */
export function serverOf(script: string, given = ''): string {
  const url = new URL(given ? given.replace(/\/*$/, '/') : script, document.baseURI)
  return url.origin + url.pathname.slice(0, url.pathname.lastIndexOf('/') + 1)
}
