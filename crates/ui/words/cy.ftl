### Welsh, a draft: no translator has reviewed it. Every page in Welsh says so.

skip-link = Neidio i'r prif gynnwys
error-prefix = Gwall:
notice = Hysbysiad
languages = Iaith
draft = Drafft
draft-note = Cymraeg drafft: angen ei adolygu.
account = Cyfrif
back = Yn ôl
support-links = Dolenni cymorth

## The components

error-summary = Mae problem
inset = Gwybodaeth:
callout = Pwysig:
banner = Pwysig
banner-success = Llwyddiant
show = Dangos
show-password = Dangos y cyfrinair

## The Help page

help = Cymorth
help-contact = Os aiff rhywbeth o'i le, cysylltwch â:
help-contact-desk = Os aiff rhywbeth o'i le, cysylltwch â desg gymorth eich sefydliad.
help-reference = Mae tudalennau sy'n aros am eich waled, a thudalennau sy'n sôn am broblem, yn dangos cyfeirnod. Rhowch y cyfeirnod hwn os gofynnwch am gymorth: mae'n dangos i'r person sy'n eich helpu beth ddigwyddodd.
help-no-wallet = Os na allwch ddefnyddio waled ddigidol
help-no-wallet-text = Nid oes rhaid i chi ddefnyddio un. Gofynnwch i dîm AD eich cyflogwr am ffordd arall o rannu eich gwybodaeth.
help-assisted = Mae'r sefydliad sy'n rhedeg y gwasanaeth hwn yn dweud:
help-accessibility = Darllenwch ein
help-accessibility-link = datganiad hygyrchedd

## The accessibility statement

accessibility = Datganiad hygyrchedd
accessibility-draft = Drafft yw hwn. Bydd y sefydliad sy'n rhedeg y gwasanaeth hwn yn ei gwblhau cyn agor y gwasanaeth.
accessibility-scope = Mae'r datganiad hwn yn ymwneud â thudalennau { $service }.
accessibility-should = Beth ddylech chi allu ei wneud
accessibility-should-list = Dylech allu:
accessibility-should-zoom = chwyddo hyd at 400% heb i'r testun lifo oddi ar y sgrin
accessibility-should-colours = defnyddio eich lliwiau a'ch ffontiau eich hun, a diffodd symudiad
accessibility-should-keyboard = mynd drwy bob tudalen â bysellfwrdd yn unig
accessibility-should-reader = gwrando ar bob tudalen â darllenydd sgrin
accessibility-should-script = gwneud popeth heb JavaScript
accessibility-should-scan = defnyddio dolen, cod byr neu waled ar yr un ddyfais yn lle sganio cod QR
accessibility-status = Pa mor hygyrch yw'r tudalennau hyn
accessibility-status-text = Mae gan Ganllawiau Hygyrchedd Cynnwys Gwe fersiwn 2.2 dair lefel. Adeiladwyd y tudalennau hyn i fodloni lefel AA. Mae rhaglenni'n gwirio hynny gyda phob newid, ond dim ond tua thraean o'r hyn all fod o'i le y maent yn ei ganfod. Nid oes pobl wedi profi'r tudalennau hyn eto, felly rydym yn eu trin fel rhai sy'n cydymffurfio'n rhannol.
accessibility-known = Beth y gwyddom nad yw'n gweithio
accessibility-known-welsh = Drafft yw'r testun Cymraeg, nad yw cyfieithydd wedi ei adolygu.
accessibility-known-labels = Ar dudalennau Cymraeg, mae enwau tystlythyrau a'r wybodaeth ynddynt yn Saesneg.
accessibility-known-time = Mae gennych 30 munud i ddefnyddio cod QR. Ni allwch ymestyn yr amser hwnnw, ond gallwch fynd yn ôl a dechrau eto. Mae tudalen yn dweud wrthych pan fydd 2 funud ar ôl.
accessibility-known-wallet = Eraill sy'n gwneud waledi digidol. Ni allwn ddweud pa mor hygyrch ydynt.
accessibility-report = Dywedwch wrthym beth nad yw'n gweithio
accessibility-report-contact = Os dewch o hyd i rywbeth nad yw'n gweithio, neu os oes angen y wybodaeth hon arnoch ar ffurf arall, cysylltwch â:
accessibility-report-desk = Os dewch o hyd i rywbeth nad yw'n gweithio, neu os oes angen y wybodaeth hon arnoch ar ffurf arall, cysylltwch â desg gymorth eich sefydliad.
accessibility-enforcement = Gorfodi
accessibility-enforcement-text = Ym Mhrydain Fawr y Comisiwn Cydraddoldeb a Hawliau Dynol sy'n gorfodi Rheoliadau Hygyrchedd Cyrff Sector Cyhoeddus (Gwefannau a Rhaglenni Symudol) (Rhif 2) 2018. Os nad ydych yn fodlon ar yr ateb i'ch cwyn, cysylltwch â'r Gwasanaeth Cynghori a Chymorth Cydraddoldeb.
accessibility-date = Paratowyd y datganiad hwn ar 28 Tachwedd 2026.
