import { passing, Refusal } from './api'
import type { FileInfo, Limits } from './protocol'

/** Why a file is not taken, as a key of the messages with what goes into them. */
export interface Objection {
  key: 'tooLarge' | 'badType' | 'tooMany' | 'uploadFailed'
  name: string
  limit: number
}

/** A file that goes with the next message. */
export interface Attachment {
  name: string
  type: string
  size: number
  /** The file itself, so that another session can be given it; null for one that is there already. */
  file: File | null
  info: FileInfo | null
  /** The session that has it. */
  session: string
  state: 'uploading' | 'ready' | 'failed'
}

export function attachment(file: File): Attachment {
  return { name: file.name, type: file.type, size: file.size, file, info: null, session: '', state: 'uploading' }
}

export function kept(info: FileInfo, session: string): Attachment {
  return { name: info.name, type: info.type, size: info.size, file: null, info, session, state: 'ready' }
}

/** What is wrong with a file before it is sent; null when nothing is. */
export function objection(file: File, limits: Limits, already: number): Objection | null {
  const about = { name: file.name, limit: 0 }
  if (already >= limits.files) return { ...about, key: 'tooMany', limit: limits.files }
  if (file.size > limits.file_bytes) return { ...about, key: 'tooLarge', limit: limits.file_bytes }
  if (!allowed(file.type, limits.file_types)) return { ...about, key: 'badType' }
  return null
}

/** The same of the server's refusal; null where only the server's own sentence says it. */
export function refused(name: string, error: unknown): Objection | null {
  if (error instanceof Refusal && error.code === 'file_too_large')
    return { key: 'tooLarge', name, limit: error.limit }
  if (error instanceof Refusal && error.code === 'file_type_not_allowed') return { key: 'badType', name, limit: 0 }
  if (passing(error)) return { key: 'uploadFailed', name, limit: 0 }
  return null
}

/** A type that the browser does not know is left to the server, which looks at the bytes. */
function allowed(type: string, types: readonly string[]): boolean {
  const its = type.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return (
    its === '' ||
    types.some((one) => one === its || one === '*/*' || (one.endsWith('/*') && its.startsWith(one.slice(0, -1))))
  )
}
