import type { Messages } from '../i18n'
import en from './en'
import de from './de'
import nl from './nl'
import fr from './fr'
import es from './es'
import pt from './pt'
import it from './it'
import pl from './pl'
import ru from './ru'
import uk from './uk'
import tr from './tr'
import ar from './ar'
import he from './he'
import hi from './hi'
import ja from './ja'
import ko from './ko'
import zh from './zh'
import zhHant from './zh-Hant'
import vi from './vi'
import id from './id'

/** Messages by language, as BCP 47 names it; Chinese without a script is simplified. */
export const LANGUAGES: Readonly<Partial<Record<string, Messages>>> = {
  en,
  de,
  nl,
  fr,
  es,
  pt,
  it,
  pl,
  ru,
  uk,
  tr,
  ar,
  he,
  hi,
  ja,
  ko,
  zh,
  'zh-Hant': zhHant,
  vi,
  id,
}
