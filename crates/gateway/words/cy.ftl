### Welsh, a draft: no translator has reviewed it. Every page in Welsh says so.

for-whom = Ar gyfer { $relying_party }
reference-is = Eich cyfeirnod yw
reference-tell = Rhowch y cyfeirnod hwn os gofynnwch am gymorth.
reference-contact = Am gymorth, cysylltwch â:
try-again = Ceisio eto
go-back = Mynd yn ôl
go-back-to = Mae ‘Mynd yn ôl’ yn mynd â chi i { $relying_party }.
nothing-shared = Ni rannwyd dim â { $relying_party }.
nothing-added = Nid ychwanegwyd dim at eich waled.
information-safe = Mae eich gwybodaeth yn ddiogel. Nid oherwydd unrhyw beth a wnaethoch y digwyddodd hyn.
try-later = Ceisiwch eto ymhen ychydig funudau. Os nad yw'n gweithio o hyd, gofynnwch am gymorth.
list = { $rest } a { $last }
from-employer-several = Eich cyflogwr sy'n eu rhoi. Os nad ydynt gennych, cysylltwch â'r tîm AD yno.
from-employer = Eich cyflogwr sy'n ei roi. Os nad yw gennych, cysylltwch â'r tîm AD yno.

## The page that waits for a wallet

title-share = Sganiwch y cod QR i rannu eich { $credential }
title-add = Sganiwch y cod QR i ychwanegu'r tystlythyr { $credential } at eich waled
title-share-here = Rhannwch eich { $credential } o'ch waled
title-add-here = Ychwanegwch y tystlythyr { $credential } at eich waled
title-scanned = Cod QR wedi'i sganio
title-opened = Ewch ymlaen yn eich waled
title-answered = Mae eich waled wedi ateb
title-shared = Rhannwyd eich { $credential }
title-shared-several = Rhannwyd eich tystlythyrau { $credential }
title-added = Ychwanegwyd y tystlythyr at eich waled
status-waiting = Yn aros i chi sganio. Mae gennych tan { $until }.
status-waiting-here = Yn aros i chi agor eich waled. Mae gennych tan { $until }.
status-scanned-share = Dilynwch y cyfarwyddiadau yn eich waled. Dewiswch ‘Rhannu’.
status-scanned-add = Dilynwch y cyfarwyddiadau yn eich waled. Dewiswch ‘Ychwanegu’.
status-checking-share = Yn gwirio eich { $credential }.
status-checking-add = Yn ychwanegu'r tystlythyr.
status-returning = Ewch ymlaen yn y dudalen a agorodd eich waled.
status-done = Wedi gorffen. Yn mynd â chi yn ôl i { $relying_party }.
status-two-minutes = Mae gennych 2 funud ar ôl.
status-copied = Mae'r ddolen wedi'i chopïo.
status-not-copied = Ni ellid copïo'r ddolen. Dewiswch hi a'i chopïo eich hun.
status-nothing-happened = Dim byd wedi digwydd? Gwiriwch fod eich waled wedi'i gosod ar y ddyfais hon.
code-share = Cod QR i rannu eich { $credential }. Os na allwch ei sganio, defnyddiwch y ffyrdd eraill ar y dudalen hon.
code-add = Cod QR i ychwanegu'r tystlythyr { $credential } at eich waled. Os na allwch ei sganio, defnyddiwch y ffyrdd eraill ar y dudalen hon.
another-device = Ar ddyfais arall, fel eich ffôn
step-open = Agorwch eich waled ddigidol.
step-scan = Dewiswch sganio cod QR, a sganiwch yr un yma.
step-pin = Os yw eich waled yn gofyn am PIN, teipiwch yr un ar y dudalen hon.
step-share = Gwiriwch beth fyddwch yn ei rannu, yna dewiswch ‘Rhannu’.
step-add = Gwiriwch y wybodaeth, yna dewiswch ‘Ychwanegu’.
only-if-yours = Sganiwch y cod hwn dim ond os chi a ddechreuodd hyn.
open-link = Agor y cais hwn mewn ap waled
show-larger = Dangos y cod yn fwy
this-device = Ar y ddyfais hon
use-another-device = Defnyddio dyfais arall
open-wallet-here = Agor fy waled ar y ddyfais hon
continue = Parhau
returning-elsewhere = Os na agorodd dudalen, neu os agorodd dudalen mewn porwr arall, arhoswch yn y porwr hwn. Dewiswch ‘Dechrau eto’, yna sganiwch y cod QR â waled ar ddyfais arall.
returning-one-device = Os mai'r ddyfais hon yn unig sydd gennych, agorwch { $relying_party } yn y porwr y mae eich waled yn ei agor, a dechreuwch eto yno.
finished = Rwyf wedi gorffen yn fy waled
start-again = Dechrau eto
cancel = Canslo
what-is-shared = Beth fyddwch yn ei rannu
what-is-added = Beth fydd yn cael ei ychwanegu
what-it-holds = Gwybodaeth yn y tystlythyr
asks-for = Mae { $relying_party } yn gofyn am y wybodaeth hon o'ch tystlythyr { $credential }, i wirio pwy ydych chi. { $organisation } sy'n ei gwirio.
asks-for-several = Mae { $relying_party } yn gofyn am y wybodaeth hon o'ch tystlythyrau { $credential }. { $organisation } sy'n ei gwirio.
is-issued-by = Y tystlythyr { $credential }, a roddwyd gan { $organisation }. Gofynnodd { $relying_party } am ei ychwanegu.

## The PIN that the wallet asks for

pin-text = Bydd eich waled yn gofyn am y PIN hwn:
pin-keep = Teipiwch ef yn eich waled yn unig. Peidiwch â'i ddweud wrth neb.

## For whoever cannot scan

cannot-scan = Ni allaf sganio'r cod
cannot-scan-here = Os yw eich waled ar y ddyfais hon, defnyddiwch y botwm ‘{ $button }’.
cannot-scan-larger = Os na all eich camera ddarllen y cod, dangoswch ef yn fwy.
cannot-scan-open = Os yw eich waled yn ap ar y ddyfais hon, gall agor y ddolen hon:
cannot-scan-link = Os yw eich waled yn derbyn dolen, copïwch hon a'i gludo yno:
link-label = Dolen i'ch waled
copy-link = Copïo'r ddolen
cannot-scan-short-code = Os yw eich waled yn derbyn cyfeiriad rydych yn ei deipio, defnyddiwch un byr.
show-short-code = Dangos cod byr
short-code-only = Mae'n gweithio unwaith. Peidiwch â'i ddweud wrth neb: nid eich cyfeirnod ydyw.
cannot-scan-phone = Os mai un ddyfais yn unig sydd gennych, agorwch { $relying_party } arni a dechreuwch eto yno.
cannot-scan-assisted = Os na allwch ddefnyddio waled, mae ffordd arall:
cannot-scan-employer = Os na allwch ddefnyddio waled, gofynnwch i dîm AD eich cyflogwr am ffordd arall.

## How it ended

expired-title = Cymeroch ormod o amser
expired-text = Ewch yn ôl a dechreuwch eto.
declined-share-title = Ni rannwyd eich { $credential }
declined-share-title-several = Ni rannwyd eich tystlythyrau { $credential }
declined-share-next = Os nad yw eich tystlythyr { $credential } yn eich waled, cysylltwch â thîm AD eich cyflogwr.
declined-share-next-several = Os nad yw eich tystlythyrau { $credential } yn eich waled, cysylltwch â thîm AD eich cyflogwr.
declined-add-title = Ni chafodd y tystlythyr ei ychwanegu at eich waled
declined-add-text = Fe wnaethoch ganslo, neu ni wnaethoch ei dderbyn, yn eich waled.
cancelled-title = Fe wnaethoch ganslo
cancelled-text = Dewisoch ‘Canslo’.
not-kept-title = Ni chadwodd eich waled y tystlythyr
not-kept-text = Ni wnaethoch ei dderbyn, neu ni allai eich waled ei gadw. Rydym wedi'i ganslo, felly ni ellir ei ddefnyddio.
not-kept-next = Os gallwch ei weld yn eich waled, dilëwch ef. Ewch yn ôl a dechreuwch eto i gael un newydd.
wrong-credential-title = Ni allem ddefnyddio'r tystlythyr hwnnw
wrong-credential-text = Dewiswch eich tystlythyr { $credential }.
wrong-credential-title-several = Ni allem ddefnyddio'r tystlythyrau hynny
wrong-credential-text-several = Dewiswch eich tystlythyrau { $credential }.
missing-title = Nid yw eich tystlythyr { $credential } yn eich waled
missing-title-several = Nid yw eich holl dystlythyrau yn eich waled
missing-text = Ychwanegwch y tystlythyr { $credential } at eich waled, yna ceisiwch eto. Os yw mewn waled arall, defnyddiwch honno.
missing-text-several = Mae angen eich tystlythyrau { $credential } mewn un waled. Ychwanegwch yr hyn sydd ar goll, yna ceisiwch eto.
too-late-title = Cymerodd eich waled ormod o amser
too-late-text = Ceisiwch eto, ac atebwch yn eich waled o fewn 5 munud.
wallet-share-title = Ni allai eich waled rannu'r tystlythyr
wallet-share-title-several = Ni allai eich waled rannu'r tystlythyrau
wallet-share-text = Gwiriwch fod eich waled yn gyfredol, yna ceisiwch eto.
different-people-title = Mae'r tystlythyrau hynny'n perthyn i bobl wahanol
different-people-text = Dewiswch eich tystlythyrau { $credential } eich hun.
wallet-add-title = Ni allai eich waled ychwanegu'r tystlythyr
wallet-add-text = Gwiriwch fod eich waled yn gyfredol, yna ceisiwch eto.
pin-wrong-title = Roedd y PIN yn anghywir ormod o weithiau
pin-wrong-text = Ceisiwch eto i gael cod newydd a PIN newydd.
serial-number-taken-title = Ni allem ychwanegu'r tystlythyr
serial-number-taken-text = Ewch yn ôl a dechreuwch eto. Os bydd yn digwydd eto, gofynnwch am gymorth a rhowch y cyfeirnod ar y dudalen hon.
unusable-title = Ni ellir defnyddio eich tystlythyr { $credential }
unusable-title-several = Ni ellir defnyddio eich tystlythyrau { $credential }
unusable-expired = Mae wedi dod i ben.
unusable-expired-next = Dilëwch ef o'ch waled a gofynnwch i'ch cyflogwr am un newydd.
unusable-not-yet-valid = Nid yw'n ddilys eto.
unusable-not-yet-valid-next = Gwiriwch y dyddiad y mae'n dechrau, neu gofynnwch i'ch cyflogwr.
unusable-revoked = Mae'r sefydliad a'i rhoddodd i chi wedi'i ganslo.
unusable-revoked-next = Dilëwch ef o'ch waled a gofynnwch i'ch cyflogwr am un newydd.
unusable-suspended = Mae'r sefydliad a'i rhoddodd i chi wedi'i atal dros dro.
unusable-suspended-next = Gofynnwch i'ch cyflogwr pam.
unusable-not-trusted = Nid yw'n dod o sefydliad y mae'r gwasanaeth hwn yn ei dderbyn.
unusable-not-trusted-next = Gofynnwch i'ch cyflogwr am un y gallwch ei ddefnyddio yma.
problem-title = Mae problem gyda'r gwasanaeth

## Pages with one code, or one link

large-code-title = Cod QR ar gyfer eich waled
short-link-title = Agorwch hwn yn eich waled ddigidol
short-link-shares = Mae'r ddolen hon yn gofyn i chi rannu tystlythyr o'ch waled.
short-link-adds = Mae'r ddolen hon yn ychwanegu tystlythyr at eich waled.
short-link-only = Ewch ymlaen dim ond os chi a ddechreuodd hyn.
short-link-open = Agor fy waled
short-link-nothing = Os nad oes dim yn digwydd, agorwch eich waled a sganiwch y cod QR â hi.
short-link-nothing-typed = Os nad oes dim yn digwydd, teipiwch y cyfeiriad yn eich waled yn lle yn eich porwr.

## Pages that lead nowhere by themselves

cannot-continue-title = Ni allwn barhau
cannot-continue-fault = Nam yn y wefan y daethoch ohoni yw hwn. Ni rannwyd dim, ac nid ychwanegwyd dim at eich waled.
cannot-continue-next = Cysylltwch â'r bobl sy'n rhedeg y wefan honno a rhowch y cyfeirnod hwn iddynt.
used-title = Mae'r dudalen hon eisoes wedi'i defnyddio
used-next = Ewch yn ôl i { $relying_party } a dechreuwch eto.
used-next-unknown = Ewch yn ôl i'r wefan y daethoch ohoni a dechreuwch eto.
unknown-code-title = Nid ydym yn adnabod y cod hwn
unknown-code-why = Efallai ei fod wedi'i gamdeipio, wedi'i ddefnyddio neu'n rhy hen.
unknown-code-next = Gwiriwch ef a'i deipio eto. Os nad yw'n gweithio o hyd, ewch yn ôl i'r dudalen lle cawsoch ef a dechreuwch eto.
other-browser-title = Ewch yn ôl i'r porwr lle dechreuoch chi
other-browser-why = Agorodd eich waled y dudalen hon mewn porwr gwahanol i'r un y dechreuoch ynddo. Er eich diogelwch, dim ond yno yr awn ymlaen.
other-browser-next = Ewch yn ôl i'r porwr hwnnw. Mae'r dudalen a adawoch yno yn dweud wrthych beth i'w wneud.
other-browser-lost = Os na allwch ddod o hyd iddi, ewch yn ôl i'r wefan y daethoch ohoni a dechreuwch eto.
no-cookie-title = Ni chadwodd eich porwr ein cwci
no-cookie-why = Mae angen un cwci ar y gwasanaeth hwn tra byddwch yn ei ddefnyddio, er mwyn iddo adnabod eich porwr eto pan fydd eich waled yn ateb. Ni chaiff ei ddefnyddio at unrhyw beth arall.
no-cookie-next = Caniatewch gwcis ar gyfer y wefan hon yng ngosodiadau eich porwr, yna llwythwch y dudalen hon eto.
too-many-title = Mae'r gwasanaeth yn brysur
too-many-text = Efallai fod llawer o bobl ar eich rhwydwaith yn ei ddefnyddio ar yr un pryd. Nid oherwydd unrhyw beth a wnaethoch y digwyddodd hyn, ac ni chollwyd dim.
too-many-next = Arhoswch am funud, yna llwythwch y dudalen hon eto. Os nad yw'n gweithio o hyd, gofynnwch am gymorth.

## Y dudalen statws

status-title = Statws y gwasanaeth
status-tag-working = Yn gweithio
status-tag-trouble = Mae problem
status-working = Mae’r gwasanaeth yn gweithio.
status-trouble = Mae problem gyda’r gwasanaeth ar hyn o bryd. Efallai na fyddwch yn gallu rhannu nac ychwanegu tystlythyrau.
status-as-of = Gwiriwyd hyn ar { $when }.
status-planned = Gwaith wedi’i gynllunio
status-planned-none = Nid oes gwaith wedi’i gynllunio.
status-planned-span = { $from } hyd at { $to }
status-days = Dyddiau diweddar
status-share-of-a-day = Roedd y gwasanaeth ar gael am { $share }% o’r amser. Mae hyn yn cyfrif yr un diwrnod y mae cofnodion ar ei gyfer, heb waith wedi’i gynllunio.
status-share = Roedd y gwasanaeth ar gael am { $share }% o’r amser. Mae hyn yn cyfrif y { $days } diwrnod diwethaf y mae cofnodion ar eu cyfer, heb waith wedi’i gynllunio.
status-no-interruptions = Ni fu unrhyw doriadau.
status-interruptions = Bu toriadau ar y dyddiau hyn:
status-minute = { $minutes } munud
status-minutes = { $minutes } munud
status-unknown = Nid oes dim wedi’i gofnodi eto.
status-help = Cael help
status-feed = Dilyn y statws mewn darllenydd ffrydiau (Atom)
