"""Help pages of an invented company, to be quoted.

What people ask a support bot is mostly answered by a page that stands in the prompt. The texts were
written for this benchmark.
"""

from __future__ import annotations

ARTICLES = tuple(
    " ".join(text.split())
    for text in (
        """Lost or stolen card. If your card is lost or stolen, freeze it at once in the app:
        open Cards, choose the card and tap Freeze. A frozen card cannot be used in shops,
        online or at cash machines, and you can unfreeze it at any time if you find it again. If
        you are sure that it is gone, tap Report as lost. We will cancel the old card and send a
        new one to your home address within five working days. The new card has a new number, so
        remember to change it wherever you pay by subscription. Your PIN stays the same.""",
        """Returns and refunds. You can return anything within thirty days of delivery, unworn
        and with its labels. Print the return form from your order page, put it in the parcel
        and drop the parcel at any post office. We refund the price to the card you paid with,
        usually within seven working days after the parcel has reached our warehouse. Delivery
        costs are refunded only when we sent the wrong article or a damaged one. Gift cards,
        earrings and underwear cannot be returned.""",
        """Resetting your router. Switch the router off, wait for thirty seconds and switch it
        on again. When the green light stays on for a minute, try your connection once more. If
        the light is orange, press the small button at the back with a pin for ten seconds,
        until all the lights go out. The router then starts with the settings it had when it
        left the factory, and you log in with the name and the password that are printed on the
        label underneath. If the light is red, the line is down.""",
        """Changing a booking. You can change the date of a booking free of charge until two
        days before you arrive. Open My trips, choose the booking and tap Change dates. If the
        new dates cost more, you pay the difference at once; if they cost less, we refund it
        within ten days. A change of name costs twenty euros for each guest. Bookings of groups
        of nine or more people cannot be changed online: write to groups and tell us the number
        of the booking and the new dates.""",
        """Delivery times. Orders that reach us before two in the afternoon leave the warehouse
        on the same day. Standard delivery takes two to four working days and is free of charge
        for orders above fifty euros. Express delivery takes one working day and costs nine
        euros. You get a message with a number as soon as the parcel is on its way, and with
        this number you can follow it on the map. If nobody is at home, the driver leaves the
        parcel with a neighbour or at the nearest shop.""",
        """Opening an account. You can open an account in ten minutes with your phone and a
        passport. Take a picture of the page with your photo, then hold the phone in front of
        your face and turn your head slowly from left to right. We check both within an hour on
        working days. As soon as that is done you get a message with the number of your account,
        and you can order a card in the app. The card arrives within a week and works after you
        have chosen a PIN for it.""",
        """Lost luggage. If your suitcase is not on the belt, go to the desk beside the exit
        before you leave the hall and show the label that you got at check-in. You receive a
        number, and with it you can see on our page where the suitcase is. Most suitcases arrive
        on the next flight, and we bring them to your hotel free of charge. Keep the receipts
        for what you have to buy meanwhile: we pay up to a hundred euros a day for five
        days.""",
        """Cancelling your plan. You can cancel your plan at any time, and it ends on the last
        day of the month that you have paid for. Open Settings, tap Plan and then Cancel plan,
        and tell us why if you like. Until that day everything works as before. Your files stay
        for another ninety days, so that you can download them or come back without losing
        anything. After that we delete them, and nobody can bring them back.""",
    )
)
